# Terrarium's build. `make help` lists what there is; LAB=N builds the kit as of lab N, from the files of labs 1..N only.

# The labs' numbers are the first words of their directories' names. There may be gaps.
LABS := $(sort $(wildcard labs/[0-9][0-9]-*))
lab_number = $(patsubst 0%,%,$(firstword $(subst -, ,$(notdir $1))))
NUMBERS := $(foreach dir,$(LABS),$(call lab_number,$(dir)))
LAST := $(lastword $(NUMBERS))

ifneq ($(LAB),)
ifneq ($(words $(LAB)) $(filter $(LAB),$(NUMBERS)),1 $(LAB))
$(error there is no lab $(LAB); LAB may be $(NUMBERS))
endif
endif

ifneq ($(WHO),)
ifneq ($(words $(WHO)) $(filter $(WHO),guest hypervisor both),1 $(WHO))
$(error WHO says whom gdb looks into: guest, hypervisor or both, not $(WHO))
endif
endif

UP_TO := $(shell seq 1 $(or $(LAB),$(LAST)))
LAB_DIRS := $(foreach dir,$(LABS),$(if $(filter $(call lab_number,$(dir)),$(UP_TO)),$(dir)))
B := build$(if $(LAB),/lab$(LAB))

# What each lab adds: HYPERVISOR, GUESTOS, USER, ETC (files), LIBS (libraries of the host), RUN (how `make run` starts its
# guest), RUN_NEEDS (what it needs besides).
include $(addsuffix /lab.mk,$(LAB_DIRS))

CC := gcc
WARN := -Wall -Wextra $(if $(CI),-Werror)
COMMON := -std=gnu11 -O2 -g $(WARN) -MMD -MP -ffile-prefix-map=$(CURDIR)/=
APPEND :=
CONSOLE :=
BUSYBOX := /bin/busybox
MEMORY := 128M
WHO := guest
WITH_KVM := scripts/with-kvm

.DELETE_ON_ERROR:
.PHONY: all run gdb vscode qemu demo test check fuzz bench clean help list format compile_commands.json

all: $(B)/terrarium $(B)/libterrarium.a $(B)/guests

# ---- the hypervisor ------------------------------------------------------------------------------------------------

HV_FLAGS := $(COMMON) -D_GNU_SOURCE -Ihypervisor -pthread
HV_OBJECTS := $(patsubst %.c,$(B)/%.o,$(filter %.c,$(HYPERVISOR))) $(patsubst %,$(B)/%.o,$(filter %.html %.js,$(HYPERVISOR)))

$(B)/hypervisor/%.o: hypervisor/%.c
	@mkdir -p $(@D)
	$(CC) $(HV_FLAGS) -c -o $@ $<

# Text that the command hands out goes in as it is: x/y.html becomes the symbols _binary_x_y_html_start and _end.
EMBED = ld -r -b binary -z noexecstack -o $@ $<

$(B)/hypervisor/%.html.o: hypervisor/%.html
	@mkdir -p $(@D)
	$(EMBED)

$(B)/hypervisor/%.js.o: hypervisor/%.js
	@mkdir -p $(@D)
	$(EMBED)

$(B)/libterrarium.a: $(filter-out %/main.o,$(HV_OBJECTS))
	@rm -f $@
	ar rcs $@ $^

# Features are found through their linker section, not by symbol: the library goes in whole.
WHOLE_LIBRARY = -Wl,--whole-archive $(B)/libterrarium.a -Wl,--no-whole-archive -pthread $(LIBS)

$(B)/terrarium: $(filter %/main.o,$(HV_OBJECTS)) $(B)/libterrarium.a
	$(CC) -o $@ $< $(WHOLE_LIBRARY)

# ---- Moss ----------------------------------------------------------------------------------------------------------

MOSS_FLAGS := $(COMMON) -Iguestos/include -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables # then the tables that gdb unwinds by are in .debug_frame, which moss.ld keeps
MOSS_OBJECTS := $(patsubst %,$(B)/%.o,$(basename $(filter %.c %.S,$(GUESTOS))))
MOSS_LINK = $(CC) -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,--no-warn-rwx-segments -Wl,-T,guestos/boot/moss.ld

$(B)/guestos/%.o: guestos/%.c
	@mkdir -p $(@D)
	$(CC) $(MOSS_FLAGS) -c -o $@ $<

$(B)/guestos/%.o: guestos/%.S
	@mkdir -p $(@D)
	$(CC) $(MOSS_FLAGS) -c -o $@ $<

# Linked twice: the second time with the names of the functions that the first link placed.
$(B)/moss.elf: $(MOSS_OBJECTS) guestos/boot/moss.ld scripts/ksyms
	scripts/ksyms > $(B)/ksyms.S
	$(MOSS_LINK) -o $@.first $(MOSS_OBJECTS) $(B)/ksyms.S
	scripts/ksyms $@.first > $(B)/ksyms.S
	$(MOSS_LINK) -o $@ $(MOSS_OBJECTS) $(B)/ksyms.S
	@rm -f $@.first

# A guest of bare bytes: what is in .text, from its beginning.
$(B)/%.bin: guestos/flat/%.S
	@mkdir -p $(@D)
	$(CC) -c -o $(B)/$*.o $<
	objcopy -O binary -j .text $(B)/$*.o $@

# ---- Moss's programs -----------------------------------------------------------------------------------------------

# USER names C files, each a program, and directories, each the sources of one.
USER_NAMES := $(basename $(notdir $(USER)))
USER_PROGRAMS := $(addprefix $(B)/user/,$(USER_NAMES))
USER_FLAGS := $(COMMON) -Iguestos/user/include
user_objects = $(patsubst %.c,$(B)/%.o,$(wildcard guestos/user/$1.c guestos/user/$1/*.c))
USER_LIBRARY := $(call user_objects,lib)

$(B)/guestos/user/%.o: guestos/user/%.c
	@mkdir -p $(@D)
	musl-gcc $(USER_FLAGS) -c -o $@ $<

.SECONDEXPANSION:
$(USER_PROGRAMS): $(B)/user/%: $$(call user_objects,$$*) $(USER_LIBRARY)
	@mkdir -p $(@D)
	musl-gcc -static -o $@ $^

# The initial file system: /bin, /etc and empty directories. Always the same bytes for the same files.
$(B)/initrd.cpio: $(USER_PROGRAMS) $(ETC)
	@rm -rf $(B)/root && mkdir -p $(B)/root/bin $(B)/root/etc $(B)/root/dev $(B)/root/proc $(B)/root/tmp
	@for program in $(USER_PROGRAMS); do strip -o $(B)/root/bin/$$(basename $$program) $$program || exit 1; done
	@cp $(ETC) $(B)/root/etc/
	@find $(B)/root -exec touch -d 2026-01-01T00:00:00Z {} +
	cd $(B)/root && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible > ../initrd.cpio

.PHONY: $(B)/guests
$(B)/guests: $(if $(filter %.c,$(GUESTOS)),$(B)/moss.elf) $(if $(USER),$(B)/initrd.cpio) $(FLAT)

# ---- running -------------------------------------------------------------------------------------------------------

# The disk of `make run`: made once, with the host's static busybox on it, and then kept, whatever else is made anew.
$(B)/disk.img:
	@rm -rf $(B)/disk && mkdir -p $(B)/disk/bin
	@if [ -x "$(BUSYBOX)" ]; then cp "$(BUSYBOX)" $(B)/disk/bin/busybox; fi
	scripts/mkdisk -n MOSS $@ 64M $(B)/disk/*
	@rm -rf $(B)/disk

run: all $(RUN_NEEDS)
	@$(WITH_KVM) $(B)/terrarium run --memory $(MEMORY) $(RUN) $(if $(CONSOLE),--console $(CONSOLE)) $(if $(APPEND),--append "$(APPEND)")

gdb: all $(RUN_NEEDS)
	@$(WITH_KVM) scripts/gdb/start $(WHO) $(B)/moss.elf $(B)/terrarium run --memory $(MEMORY) $(RUN) $(if $(APPEND),--append "$(APPEND)")

vscode:
	@scripts/vscode $(B) '$(RUN)' $(RUN_NEEDS)

qemu: all $(RUN_NEEDS)
	@CONSOLE=$(CONSOLE) MEMORY=$(MEMORY) scripts/qemu $(B) $(if $(APPEND),"$(APPEND)")

# A lab's narrated demonstration. DEMO_AUTO=1 does not wait for Enter.
demo: all
	@test -x $(lastword $(LAB_DIRS))/demo.sh || { echo "make demo: say which lab, as in make demo LAB=3" >&2; exit 2; }
	@BUILD=$(B) $(WITH_KVM) $(lastword $(LAB_DIRS))/demo.sh

# ---- tests ---------------------------------------------------------------------------------------------------------

test:
	@scripts/cached $(MAKE) --no-print-directory -j$(shell nproc) all $(B)/tests.built
	@scripts/cached scripts/run-tests $(B) $(LAB_DIRS) $(if $(LAB),,tests)

check:
	@python3 -m unittest -q tests.kit.test_static

bench: all $(B)/bench.built
	@scripts/bench $(B)

UNIT_TESTS := $(foreach dir,$(LAB_DIRS),$(wildcard $(dir)/tests/unit_*.c))
KVM_TESTS := $(foreach dir,$(LAB_DIRS),$(wildcard $(dir)/tests/kvm_*.c))
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
BENCHES := $(wildcard tests/bench/bench_*.c)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# results.c comes between every test program and cmocka.
CMOCKA := -Wl,--wrap=_cmocka_run_group_tests,--wrap=_skip -lcmocka
UNIT_SUPPORT := $(patsubst %,$(B)/tests/on-host/tests/support/%.o,expect results)
KVM_SUPPORT := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/support/*.c))
TEST_OBJECTS := $(KVM_SUPPORT)
test_program = $(B)/tests/$(subst labs/,,$(subst /tests,,$(basename $1)))

# The comment `/* sources: a.c b_*.c */` in a unit test names the files that it tests.
test_sources = $(wildcard $(shell sed -n 's|^/\* sources: \(.*\) \*/$$|\1|p' $1))

# Files of Moss's kernel see its own headers; the rest, the host's. They meet in one program.
MOSS_ON_HOST := -I. -include tests/unit/moss_layout.h
MOSS_LINKED_ON_HOST := -Wl,-z,notext # Moss's tables of addresses may be read-only, and a host program can lie anywhere
moss_tested = $(filter guestos/%,$(filter-out guestos/user/%,$1))

# Whatever is compiled for a unit test: Moss's kernel; what is linked with it, and so sees its layout, too; everything else.
UNIT_FLAGS = $(COMMON) $(SANITIZE) -D_GNU_SOURCE -I. -Ihypervisor -Itests/support -Iguestos/user/include -pthread

$(B)/tests/guestos/%.o: guestos/%.c
	@mkdir -p $(@D)
	$(CC) $(COMMON) $(SANITIZE) -Iguestos/include -ffreestanding $(MOSS_ON_HOST) -c -o $@ $<

$(B)/tests/with-moss/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(MOSS_ON_HOST) -c -o $@ $<

$(B)/tests/on-host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) -c -o $@ $<

$(B)/tests/support/%.o: tests/support/%.c
	@mkdir -p $(@D)
	$(CC) $(HV_FLAGS) -c -o $@ $<

# The objects of unit test $1, which tests the files $2.
unit_objects = $(UNIT_SUPPORT) $(patsubst %.c,$(B)/tests/%.o,$(call moss_tested,$2)) \
	$(patsubst %.c,$(B)/tests/$(if $(call moss_tested,$2),with-moss,on-host)/%.o,$1 $(filter-out $(call moss_tested,$2),$2))

define unit_rule
TEST_OBJECTS += $(call unit_objects,$1,$2)
$(call test_program,$1): $(call unit_objects,$1,$2)
	@mkdir -p $$(@D)
	$(CC) $(SANITIZE) $(if $(call moss_tested,$2),$(MOSS_LINKED_ON_HOST)) -o $$@ $$^ $(CMOCKA) -pthread $(LIBS)
endef
ifneq ($(filter test %/tests.built $(B)/tests/% run-fuzzers,$(MAKECMDGOALS)),)
$(foreach t,$(UNIT_TESTS) $(FUZZERS),$(eval $(call unit_rule,$t,$(call test_sources,$t))))
endif

$(B)/tests/with-kvm/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HV_FLAGS) -Itests/support -c -o $@ $<

define kvm_rule
TEST_OBJECTS += $(B)/tests/with-kvm/$(1:.c=.o)
$(call test_program,$1): $(B)/tests/with-kvm/$(1:.c=.o) $(KVM_SUPPORT) $(B)/libterrarium.a
	@mkdir -p $$(@D)
	$(CC) -o $$@ $$(filter %.o,$$^) $(WHOLE_LIBRARY) $(CMOCKA)
endef
$(foreach t,$(KVM_TESTS) $(BENCHES),$(eval $(call kvm_rule,$t)))

$(B)/tests.built: $(foreach t,$(UNIT_TESTS) $(KVM_TESTS),$(call test_program,$t))
	@touch $@

# Fuzzers are built as unit tests are, by clang and with libFuzzer in a directory of their own. RUNS inputs each.
RUNS := 100000
fuzz:
	@$(MAKE) --no-print-directory B=$(B)/fuzz CC=clang SANITIZE="-fsanitize=fuzzer $(SANITIZE)" run-fuzzers

.PHONY: run-fuzzers
run-fuzzers: $(foreach t,$(FUZZERS),$(call test_program,$t))
	@for fuzzer in $^; do \
		mkdir -p $$fuzzer.corpus; \
		$$fuzzer -runs=$(RUNS) -use_value_profile=1 -artifact_prefix=$$fuzzer- $$fuzzer.corpus > $$fuzzer.log 2>&1 \
			|| { cat $$fuzzer.log; exit 1; }; \
		echo "$$(basename $$fuzzer): $(RUNS) inputs, none did harm"; \
	done

$(B)/bench.built: $(foreach t,$(BENCHES),$(call test_program,$t))
	@touch $@

# ---- the rest ------------------------------------------------------------------------------------------------------

# What an editor's language server wants to know.
compile_commands.json:
	@scripts/compile-commands '$(HV_FLAGS)' '$(MOSS_FLAGS)' '$(USER_FLAGS)' $(HYPERVISOR) $(GUESTOS) $(USER) > $@

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

# Two things stay: the machine that with-kvm has prepared, which depends on no source of ours, and the disk, which is the user's.
clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name with-kvm ! -name disk.img -exec rm -rf {} +

list:
	@$(foreach dir,$(LABS),echo "$(notdir $(dir))  $(TITLE_$(firstword $(subst -, ,$(notdir $(dir)))))";)

help:
	@sed 's/@LAST@/$(LAST)/' scripts/help.txt

USER_OBJECTS := $(foreach name,$(USER_NAMES) lib,$(call user_objects,$(name)))
-include $(patsubst %.o,%.d,$(HV_OBJECTS) $(MOSS_OBJECTS) $(USER_OBJECTS) $(sort $(TEST_OBJECTS)))
