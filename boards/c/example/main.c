/* Runs the network whose image is in flash on one input and prints the logits on UART 0. */

#include "board.h"
#include "skimp.h"

/* Where the linker script puts the image and the input. A real program would get the input from a sensor. */
extern const uint8_t image_start[], image_end[], input_start[];

/* How much there may be; the network says how much it needs. */
enum { ARENA_BYTES = 1024 * 1024, MOST_LOGITS = 16 * 1024 };

static skimp_network network;
/* Words, because it must begin at a multiple of 4. */
static uint32_t arena[ARENA_BYTES / 4];
static int32_t logits[MOST_LOGITS];

static int failed(const char *what, skimp_status status)
{
    print(what);
    print(": ");
    print(skimp_error_message(status));
    print("\n");
    return 1;
}

int main(void)
{
    skimp_status status = skimp_load(image_start, (size_t)(image_end - image_start), &network);
    if (status != SKIMP_OK) {
        return failed("loading", status);
    }

    /* Fewer than the network has are refused below. */
    size_t count = skimp_output_len(&network);
    if (count > MOST_LOGITS) {
        count = MOST_LOGITS;
    }
    status = skimp_infer(&network, (uint8_t *)arena, sizeof arena, input_start, skimp_input_bytes(&network), logits, count);
    if (status != SKIMP_OK) {
        return failed("inference", status);
    }

    print("logits:");
    for (size_t i = 0; i < count; i++) {
        print(" ");
        print_number(logits[i]);
    }
    print("\nclass: ");
    print_number((int32_t)skimp_argmax(logits, count));
    print("\n");
    return 0;
}
