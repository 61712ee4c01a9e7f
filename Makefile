# Terrarium's build. `make help` lists what there is; LAB=N builds the kit as of lab N, from the files of labs 1..N only.

LABS := $(sort $(wildcard labs/[0-9][0-9]-*))
LAST := $(shell expr $(firstword $(subst -, ,$(notdir $(lastword $(LABS))))) + 0)
LAB_DIRS = $(wordlist 1,$(or $(LAB),$(LAST)),$(LABS))
B := build$(if $(LAB),/lab$(LAB))

ifneq ($(LAB),)
ifneq ($(words $(LAB)) $(filter $(LAB),$(shell seq 1 $(LAST))),1 $(LAB))
$(error there is no lab $(LAB); LAB may be 1 to $(LAST))
endif
endif

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
WITH_KVM := scripts/with-kvm

.DELETE_ON_ERROR:
.PHONY: all run gdb qemu demo test check fuzz bench clean help list format compile_commands.json

all: $(B)/terrarium $(B)/libterrarium.a $(B)/guests

# ---- the hypervisor ------------------------------------------------------------------------------------------------

HV_FLAGS := $(COMMON) -D_GNU_SOURCE -Ihypervisor -pthread
HV_OBJECTS := $(patsubst %.c,$(B)/%.o,$(filter %.c,$(HYPERVISOR)))

$(B)/hypervisor/%.o: hypervisor/%.c
	@mkdir -p $(@D)
	$(CC) $(HV_FLAGS) -c -o $@ $<

$(B)/libterrarium.a: $(filter-out %/main.o,$(HV_OBJECTS))
	@rm -f $@
	ar rcs $@ $^

# Features are found through their linker section, not by symbol: the library goes in whole.
WHOLE_LIBRARY = -Wl,--whole-archive $(B)/libterrarium.a -Wl,--no-whole-archive -pthread $(LIBS)

$(B)/terrarium: $(filter %/main.o,$(HV_OBJECTS)) $(B)/libterrarium.a
	$(CC) -o $@ $< $(WHOLE_LIBRARY)

# ---- Moss ----------------------------------------------------------------------------------------------------------

MOSS_FLAGS := $(COMMON) -Iguestos/include -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-strict-aliasing
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
USER_LIBRARY := $(wildcard guestos/user/lib/*.c)
USER_FLAGS := -static -std=gnu11 -O2 -g $(WARN) -Iguestos/user/include -ffile-prefix-map=$(CURDIR)/=
USER_HEADERS := $(wildcard guestos/user/include/*.h guestos/user/*/*.h)

user_sources = $(wildcard guestos/user/$1.c guestos/user/$1/*.c)

.SECONDEXPANSION:
$(USER_PROGRAMS): $(B)/user/%: $$(call user_sources,$$*) $(USER_LIBRARY) $(USER_HEADERS)
	@mkdir -p $(@D)
	musl-gcc $(USER_FLAGS) -o $@ $(filter %.c,$^)

# The initial file system: /bin, /etc and empty directories. Always the same bytes for the same files.
$(B)/initrd.cpio: $(USER_PROGRAMS) $(ETC)
	@rm -rf $(B)/root && mkdir -p $(B)/root/bin $(B)/root/etc $(B)/root/dev $(B)/root/proc $(B)/root/tmp
	@for program in $(USER_PROGRAMS); do strip -o $(B)/root/bin/$$(basename $$program) $$program || exit 1; done
	@cp $(ETC) $(B)/root/etc/
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
	@$(WITH_KVM) scripts/gdb $(B)/moss.elf $(B)/terrarium run --memory $(MEMORY) $(RUN) $(if $(APPEND),--append "$(APPEND)")

qemu: all $(RUN_NEEDS)
	@CONSOLE=$(CONSOLE) MEMORY=$(MEMORY) scripts/qemu $(B) $(if $(APPEND),"$(APPEND)")

# A lab's narrated demonstration. DEMO_AUTO=1 does not wait for Enter.
demo: all
	@test -x $(lastword $(LAB_DIRS))/demo.sh || { echo "make demo: say which lab, as in make demo LAB=3" >&2; exit 2; }
	@BUILD=$(B) $(WITH_KVM) $(lastword $(LAB_DIRS))/demo.sh

# ---- tests ---------------------------------------------------------------------------------------------------------

test: all $(B)/tests.built
	@scripts/run-tests $(B) $(LAB_DIRS) $(if $(LAB),,tests)

check:
	@python3 -m unittest -q tests.kit.test_static

bench: all $(B)/bench.built
	@scripts/bench $(B)

UNIT_TESTS := $(foreach dir,$(LAB_DIRS),$(wildcard $(dir)/tests/unit_*.c))
KVM_TESTS := $(foreach dir,$(LAB_DIRS),$(wildcard $(dir)/tests/kvm_*.c))
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
BENCHES := $(wildcard tests/bench/bench_*.c)
SUPPORT_HEADERS := $(wildcard tests/support/*.h)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# results.c comes between every test program and cmocka.
CMOCKA := -Wl,--wrap=_cmocka_run_group_tests,--wrap=_skip -lcmocka
UNIT_SUPPORT := $(patsubst %,$(B)/tests/support/sanitized/%.o,expect results)
KVM_SUPPORT := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/support/*.c))
test_program = $(B)/tests/$(subst labs/,,$(subst /tests,,$(basename $1)))

# The comment `/* sources: a.c b_*.c */` in a unit test names the files that it tests.
test_sources = $(wildcard $(shell sed -n 's|^/\* sources: \(.*\) \*/$$|\1|p' $1))

# Files of Moss's kernel see its own headers; the rest, the host's. They meet in one program.
MOSS_ON_HOST := -I. -include tests/unit/moss_layout.h
moss_tested = $(filter guestos/%,$(filter-out guestos/user/%,$1))

$(B)/tests/guestos/%.o: guestos/%.c $(wildcard guestos/include/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	$(CC) $(COMMON) $(SANITIZE) -Iguestos/include -ffreestanding $(MOSS_ON_HOST) -c -o $@ $<

$(B)/tests/support/sanitized/%.o: tests/support/%.c $(SUPPORT_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(COMMON) -D_GNU_SOURCE $(SANITIZE) -c -o $@ $<

$(B)/tests/support/%.o: tests/support/%.c $(SUPPORT_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(HV_FLAGS) -c -o $@ $<

define unit_rule
$(call test_program,$1): $1 $2 $(patsubst %.c,$(B)/tests/%.o,$(call moss_tested,$2)) $(UNIT_SUPPORT) $(SUPPORT_HEADERS) $(wildcard tests/unit/*.h)
	@mkdir -p $$(@D)
	$(CC) $(COMMON) -D_GNU_SOURCE $(SANITIZE) -I. -Ihypervisor -Itests/support $$(if $$(findstring guestos/user,$$^),-Iguestos/user/include) \
		$(if $(call moss_tested,$2),$(MOSS_ON_HOST)) -o $$@ $1 $(filter-out $(call moss_tested,$2),$2) $$(filter %.o,$$^) $(CMOCKA) -pthread
endef
ifneq ($(filter test %/tests.built $(B)/tests/% run-fuzzers,$(MAKECMDGOALS)),)
$(foreach t,$(UNIT_TESTS) $(FUZZERS),$(eval $(call unit_rule,$t,$(call test_sources,$t))))
endif

define kvm_rule
$(call test_program,$1): $1 $(KVM_SUPPORT) $(SUPPORT_HEADERS) $(B)/libterrarium.a
	@mkdir -p $$(@D)
	$(CC) $(HV_FLAGS) -Itests/support -o $$@ $1 $(KVM_SUPPORT) $(WHOLE_LIBRARY) $(CMOCKA)
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

-include $(HV_OBJECTS:.o=.d) $(MOSS_OBJECTS:.o=.d)
