/// What an answer of the registry means for who contends.
enum Finding: Equatable {
    /// Nothing is decided yet.
    case open
    /// The session holds it.
    case held(FencingToken)
    /// The session held it and does not any more.
    case lost
}
