/// The bounds of this module, their defaults, and what happens at each.
enum Limits {}
