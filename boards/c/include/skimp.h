/* skimp's runtime for C: 8-bit networks from flash images, without a heap.
 *
 * Made of boards/c/src/api by cbindgen; change that, not this. boards/c/README.md says how to build and use it. */

#ifndef SKIMP_H
#define SKIMP_H

#include <stddef.h>
#include <stdint.h>

// Room for a loaded network, in words of the machine.
#define SKIMP_NETWORK_WORDS 48

// What became of a call. 0 is success; the numbers keep their meaning.
enum skimp_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Done.
  SKIMP_OK = 0,
  // A pointer is null.
  SKIMP_NULL_POINTER = 1,
  // The network, the arena or the logits are not aligned: as their type asks for, the arena to 4 bytes.
  SKIMP_MISALIGNED_POINTER = 2,
  // A length reaches beyond the end of the address space.
  SKIMP_TOO_LONG = 3,
  // Two of the memory areas share bytes.
  SKIMP_SHARED_MEMORY = 4,
  // The network was not loaded, or loading it failed.
  SKIMP_NOT_LOADED = 5,
  // The bytes do not begin as an image does.
  SKIMP_NO_IMAGE = 16,
  // The image has another format version.
  SKIMP_IMAGE_VERSION = 17,
  // The image is longer than its flash, or its lengths disagree.
  SKIMP_IMAGE_LENGTH = 18,
  // The checksum does not match.
  SKIMP_IMAGE_DAMAGED = 19,
  // The image is not 4-byte aligned.
  SKIMP_IMAGE_MISALIGNED = 20,
  // The image contradicts itself.
  SKIMP_IMAGE_CONTENTS = 21,
  // The image needs an operator that this library was built without.
  SKIMP_IMAGE_UNSUPPORTED = 22,
  // The arena has fewer bytes than the network needs.
  SKIMP_ARENA_TOO_SMALL = 32,
  // The input has another length than the network's.
  SKIMP_INPUT_LENGTH = 33,
  // There are more or fewer logits than the network has.
  SKIMP_LOGITS_LENGTH = 34,
  // The image has no operating point of that number.
  SKIMP_NO_SUCH_POINT = 35,
  // The runtime reports something this library has no code for.
  SKIMP_UNKNOWN = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum skimp_status skimp_status;
#else
typedef int32_t skimp_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A network that the caller gives memory to and `skimp_load` fills in. What is inside is of no concern to
// anyone else and may change with the library. It may be copied once it is loaded.
typedef struct {
  uint32_t state;
  size_t flash_bytes;
  const uint8_t *flash;
  size_t words[SKIMP_NETWORK_WORDS];
} skimp_network;

// How numbers become input codes and logits numbers.
typedef struct {
  // Rows of the input.
  uint32_t input_height;
  // Columns of the input.
  uint32_t input_width;
  // Channels of the input, innermost: code `(y * width + x) * channels + c` is that of row y, column x.
  uint32_t input_channels;
  // The code of the number 0.
  uint32_t input_zero_point;
  // What a step of a code is worth: the code of a number is `input_zero_point + number / input_scale`,
  // rounded to the nearest and kept within 0 to 255.
  float input_scale;
  // What a logit of 1 is worth.
  float output_scale;
} skimp_coding;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What a status means and what to do about it, in English, ended by a zero byte. Never null: numbers that
// are no status have a text as well.
const char *skimp_error_message(int32_t status);

// Checks the image that begins at `flash` and makes `network` ready to run it from there.
//
// `flash_bytes` may be more than the image has, such as the whole flash from there on. Nothing is copied;
// every byte of the image is read once. If it fails, `network` is not loaded.
//
// # Safety
// `flash_bytes` bytes are readable at `flash` and stay what they are for as long as the network is used;
// `network` is writable.
skimp_status skimp_load(const uint8_t *flash, size_t flash_bytes, skimp_network *network);

// Bytes of working memory that `skimp_infer` needs; 0 if the network is not loaded.
//
// # Safety
// `network` is null, or one that `skimp_load` was called with, whose image is still there.
size_t skimp_arena_bytes(const skimp_network *network);

// Bytes of an input, one code an element; 0 if the network is not loaded.
//
// # Safety
// That of `skimp_arena_bytes`.
size_t skimp_input_bytes(const skimp_network *network);

// Number of logits; 0 if the network is not loaded.
//
// # Safety
// That of `skimp_arena_bytes`.
size_t skimp_output_len(const skimp_network *network);

// Number of operating points in the image; 0 if the network is not loaded.
//
// # Safety
// That of `skimp_arena_bytes`.
size_t skimp_points(const skimp_network *network);

// Goes to operating point `point`, counted from 0, at which `skimp_load` begins. Arena, input and logits stay
// as long as they were. If it fails, the network stays where it was.
//
// # Safety
// That of `skimp_arena_bytes`; `network` is writable, and nothing else uses it meanwhile.
skimp_status skimp_select(skimp_network *network, size_t point);

// Says how inputs are coded and what logits are worth.
//
// # Safety
// That of `skimp_arena_bytes`; `coding` is writable.
skimp_status skimp_describe(const skimp_network *network, skimp_coding *coding);

// Runs one inference.
//
// `arena` is working memory of at least `skimp_arena_bytes`, at a multiple of 4, which need not be kept in between; `input` has
// `skimp_input_bytes` codes, and `logits` room for `skimp_output_len` values. No two of these may overlap.
// Several tasks may run the same network at once, each with memory of its own. If it fails, the logits are
// as they were, unless the image has changed since it was loaded.
//
// # Safety
// That of `skimp_arena_bytes`; arena, input and logits are as long as is said, the input is readable, the
// others are writable, and nothing else uses them meanwhile.
skimp_status skimp_infer(const skimp_network *network,
                         uint8_t *arena,
                         size_t arena_bytes,
                         const uint8_t *input,
                         size_t input_bytes,
                         int32_t *logits,
                         size_t logits_len);

// Index of the largest of `len` logits, the first one on a tie; `SIZE_MAX` if there are none or `logits` is
// null or misaligned.
//
// # Safety
// `len` logits are readable at `logits`.
size_t skimp_argmax(const int32_t *logits, size_t len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SKIMP_H */
