/* What the example needs of the mps2-an386. */

#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Both write to UART 0 and wait until there is room. */
void print(const char *text);
void print_number(int32_t number);

#endif
