#!/bin/sh
# Lab 5 in five minutes: an interrupt's way, a clock, and threads that wait without costing anything.
# shellcheck source=scripts/demo-steps
. scripts/demo-steps

BUILD=${BUILD:-build/lab5}
GUEST="$BUILD/terrarium run --kernel $BUILD/moss.elf"

say "First a guest without any interrupt controller: a few bytes that print, and HLT. With nothing that could wake it, its HLT is an exit, and its end."
show "$BUILD/terrarium" run --flat "$BUILD/hello.bin" --stats

say "From this lab on there are controllers and a timer chip. They are KVM's; for Terrarium that is one feature of thirty lines. Here is all of it that works."
show sed -n '/^static void irqchip_sink/,/^}/p; /^static int irqchip_attach/,/^}/p' hypervisor/irqchip.c

say "Two threads of Moss pass a turn to and fro, and sleep 50 ms each time. A tick interrupts 100 times a second, and the CPU sleeps in between. Count the exits by their reason."
show sh -c "$GUEST --append 'notty demo=threads' --stats"

say "The same guest without the threads. The difference is the text that they print, a byte for an exit. Ticks, sleeps, switches and looks at the clock do not appear."
show sh -c "$GUEST --append notty --stats"

say "What is a switch of threads? Six registers are saved on one stack and loaded from another. The whole secret has fifteen instructions."
show sed -n '/^switch_stacks:/,/ret$/p' guestos/kernel/switch.S

say "And what is waiting? Enter the queue, then look, then sleep. In this order, or a wake between looking and sleeping is lost."
show sed -n '/^#define wait_until/,/^    })/p' guestos/include/thread.h

say "An idle kernel with a shell's patience: nobody can type here, so Moss ends when its threads have. The status is the guest's own."
show sh -c "$GUEST --append 'notty demo=threads' > build/demo-threads.txt; echo status \$?; tail -n 1 build/demo-threads.txt"
