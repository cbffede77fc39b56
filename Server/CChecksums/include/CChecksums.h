#ifndef MUSTER_CCHECKSUMS_H
#define MUSTER_CCHECKSUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has an instruction for CRC-32C; looked up once.
bool muster_crc32c_has_instruction(void);

/// Goes on with a CRC-32C over `count` bytes, by the processor's instruction.
///
/// `crc` is the register itself: neither it nor the result is inverted. Only to be called where
/// `muster_crc32c_has_instruction()`; elsewhere it gives 0.
uint32_t muster_crc32c_extend(uint32_t crc, const void *bytes, size_t count);

#endif
