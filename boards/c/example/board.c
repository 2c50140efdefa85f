/* Start-up and UART 0 of the mps2-an386: Arm's application note AN386, and DDI 0479 for the UART. */

#include "board.h"

/* Set by the linker script. */
extern uint32_t data_start[], data_end[], data_in_flash[], bss_start[], bss_end[], stack_top[];

int main(void);
void reset(void);

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CTRL REGISTER(0x40004008)
#define UART_BAUDDIV REGISTER(0x40004010)
/* Coprocessor access control, of which the floating-point unit is a part (Armv7-M, B3.2.20). */
#define CPACR REGISTER(0xe000ed88)

enum { CORE_HZ = 25000000, BAUD = 115200, UART_FULL = 1, UART_SEND = 1, FPU_ACCESS = 0xf << 20 };

void print(const char *text)
{
    for (; *text != '\0'; text++) {
        while (UART_STATE & UART_FULL) {
        }
        UART_DATA = (uint8_t)*text;
    }
}

void print_number(int32_t number)
{
    char digits[12];
    char *first = digits + sizeof digits - 1;
    /* The smallest number has no positive counterpart among the signed ones. */
    uint32_t rest = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;

    *first = '\0';
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        *--first = '-';
    }
    print(first);
}

/* Ends an emulator or stops in a debugger, by semihosting. Without either that is a fault, which waits. */
static void stop(int failure)
{
    enum { SYS_EXIT = 0x18, DONE = 0x20026, ERROR = 0x20023 };
    register uint32_t operation __asm__("r0") = SYS_EXIT;
    register uint32_t reason __asm__("r1") = failure ? ERROR : DONE;

    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(reason) : "memory");
}

static void wait_for_ever(void)
{
    for (;;) {
        __asm__ volatile("wfi");
    }
}

/* The library calls it if it has a bug of its own; without this function it would wait silently. */
void skimp_on_panic(void)
{
    print("panic in the library\n");
    stop(1);
    wait_for_ever();
}

void reset(void)
{
    CPACR |= FPU_ACCESS;
    __asm__ volatile("dsb\n\tisb" : : : "memory");
    for (uint32_t *to = data_start, *from = data_in_flash; to < data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end;) {
        *to++ = 0;
    }
    UART_BAUDDIV = CORE_HZ / BAUD;
    UART_CTRL = UART_SEND;
    stop(main());
    wait_for_ever();
}

/* Stack, reset, NMI and hard fault; the others are disabled or become hard faults. */
__attribute__((section(".vectors"), used)) static const union {
    uint32_t *stack;
    void (*handler)(void);
} vectors[4] = {
    {.stack = stack_top},
    {.handler = reset},
    {.handler = wait_for_ever},
    {.handler = wait_for_ever},
};
