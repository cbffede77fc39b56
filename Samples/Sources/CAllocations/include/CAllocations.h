#ifndef C_ALLOCATIONS_H
#define C_ALLOCATIONS_H

/// How often the calling thread has asked for memory so far, -1 where that cannot be counted.
///
/// Linking this target replaces the C library's allocation functions by ones that count; they are
/// known to work with glibc only.
long allocations_of_this_thread(void);

/// How many bytes are allocated in this process now, -1 where that cannot be asked.
long allocated_bytes(void);

#endif
