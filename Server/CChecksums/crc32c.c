// CRC-32C by the processor's own instruction, which Swift has no name for.
//
// Source: Intel SDM volume 2, CRC32; Arm ARM, CRC32CX. Both work on the reflected polynomial
// 0x82F63B78, eight bytes at a step.

#include "CChecksums.h"

#include <string.h>

#if defined(__x86_64__)

#include <nmmintrin.h>

#define HARDWARE __attribute__((target("sse4.2")))

static bool find_instruction(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}

HARDWARE static inline uint32_t step8(uint32_t crc, uint64_t word) {
    return (uint32_t)_mm_crc32_u64(crc, word);
}

HARDWARE static inline uint32_t step1(uint32_t crc, uint8_t byte) {
    return _mm_crc32_u8(crc, byte);
}

#elif defined(__aarch64__) && defined(__linux__) && defined(__AARCH64EL__)

#include <sys/auxv.h>

#define HARDWARE __attribute__((target("crc")))

// HWCAP_CRC32 of <asm/hwcap.h>.
#define CAPABILITY_CRC32 (1UL << 7)

static bool find_instruction(void) {
    return (getauxval(AT_HWCAP) & CAPABILITY_CRC32) != 0;
}

HARDWARE static inline uint32_t step8(uint32_t crc, uint64_t word) {
    return __builtin_arm_crc32cd(crc, word);
}

HARDWARE static inline uint32_t step1(uint32_t crc, uint8_t byte) {
    return __builtin_arm_crc32cb(crc, byte);
}

#endif

#if defined(HARDWARE)

bool muster_crc32c_has_instruction(void) {
    // 0 not looked up yet, 1 no, 2 yes; every thread finds the same.
    static _Atomic(int) known = 0;
    int found = __c11_atomic_load(&known, __ATOMIC_RELAXED);
    if (found == 0) {
        found = find_instruction() ? 2 : 1;
        __c11_atomic_store(&known, found, __ATOMIC_RELAXED);
    }
    return found == 2;
}

HARDWARE uint32_t muster_crc32c_extend(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        crc = step8(crc, word);
    }
    for (; count > 0; count--, next++) crc = step1(crc, *next);
    return crc;
}

#else

bool muster_crc32c_has_instruction(void) {
    return false;
}

uint32_t muster_crc32c_extend(uint32_t crc, const void *bytes, size_t count) {
    (void)crc, (void)bytes, (void)count;
    return 0;
}

#endif
