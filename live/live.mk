# live/live.mk - libjobq, its Python class, manual pages and completions: build and install.

# What libjobq is made of: the network world and the product, no program's files.
# Of src/scenario only the table: what reads distributions and files needs GSL and inih.
LIBJOBQ_OBJ := $(filter-out $(addprefix $(BUILD)/live/,page/money.o page/screen.o work/batchline.o),$(LIVE)) \
	$(FLEET) $(NET) $(WIRE) $(FIBER) \
	$(addprefix $(BUILD)/src/scenario/,settings.o value.o fleet.o) $(BASE)
$(BUILD)/live/aws/user_data_text.o: live/image/user-data.yaml

LIBJOBQ_SO  := $(BUILD)/libjobq.so.$(VERSION)
LIBJOBQ_A   := $(BUILD)/libjobq.a
LIBJOBQ_LIBS := $(LIB_LIVE) $(LIB_NET) $(LIB_WIRE) $(LIB_BASE) -lpthread

.PHONY: libjobq install-live
libjobq: $(LIBJOBQ_SO) $(LIBJOBQ_A)

$(LIBJOBQ_SO): $(LIBJOBQ_OBJ) live/lib/libjobq.map
	@echo "LINK $@"; $(CC) $(LDFLAGS) -shared -Wl,-soname,libjobq.so.$(SOMAJOR) \
		-Wl,--version-script=live/lib/libjobq.map -Wl,--no-undefined -o $@ \
		$(filter %.o,$^) $(LIBJOBQ_LIBS)
	@ln -sf $(@F) $(BUILD)/libjobq.so.$(SOMAJOR); ln -sf $(@F) $(BUILD)/libjobq.so
# One object, in which everything that is not the library's interface is local: a static
# link shows no other names than a shared one.
$(BUILD)/libjobq_whole.o: $(LIBJOBQ_OBJ)
	@$(CC) -r -nostdlib -o $@ $^ && objcopy --wildcard --keep-global-symbol='jobq_version' \
		--keep-global-symbol='jobq_enqueue*' --keep-global-symbol='jobq_status' \
		--keep-global-symbol='jobq_cancel' --keep-global-symbol='jobq_begin' \
		--keep-global-symbol='jobq_wait' --keep-global-symbol='jobq_end' \
		--keep-global-symbol='jobq_code_*' --keep-global-symbol='jobq_page_*' $@
$(LIBJOBQ_A): $(BUILD)/libjobq_whole.o
	@echo "AR   $@"; rm -f $@; ar rcs $@ $<

# For tests: an archive, of which a program gets what it needs.
$(BUILD)/liblive.a: $(LIVE) $(filter-out %_main.o,$(JOBQ))
	@rm -f $@; ar rcs $@ $^

# Manuals: the page's own words, and the options as the programs tell them.
MANUALS := $(patsubst live/man/%.scd,$(BUILD)/man/%,$(wildcard live/man/*.scd))
$(BUILD)/man/%: live/man/%.scd live/man/expand.sh live/man/help.awk $(PROGRAMS)
	@mkdir -p $(@D); live/man/expand.sh bin $< > $@.scd && scdoc < $@.scd > $@.part && \
		mv $@.part $@ && rm $@.scd
.PHONY: manuals
manuals: $(MANUALS)
# arm's programs cannot tell their options here.
ifneq ($(VARIANT),arm)
ifneq ($(shell command -v scdoc),)
all: manuals
endif
endif

PYTHON_DIR ?= $(PREFIX)/lib/python3/dist-packages
LIBDIR     ?= $(PREFIX)/lib
UNITDIR    ?= $(PREFIX)/lib/systemd/system
UNITS      := $(wildcard live/image/*.service)
INSTALLS += install-live
install-live: all libjobq
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/jobq \
		$(DESTDIR)$(PYTHON_DIR) $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d \
		$(DESTDIR)$(UNITDIR)
	install -m 755 $(LIBJOBQ_SO) $(DESTDIR)$(LIBDIR)
	ln -sf libjobq.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libjobq.so.$(SOMAJOR)
	ln -sf libjobq.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libjobq.so
	install -m 644 $(LIBJOBQ_A) $(DESTDIR)$(LIBDIR)
	sed 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(LIBDIR),; s,@VERSION@,$(VERSION),' \
		live/lib/jobq.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/jobq.pc
	for unit in $(UNITS); do sed 's,^ExecStart=/usr/local/,ExecStart=$(PREFIX)/,' $$unit \
		> $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	install -m 644 include/jobq/jobq.h include/jobq/error.h $(DESTDIR)$(PREFIX)/include/jobq
	install -m 644 live/python/jobq.py $(DESTDIR)$(PYTHON_DIR)
	for p in jobq jobqsim jobqcost jobqmock; do \
		as=completion; [ $$p != jobqmock ] || as=--completion; \
		bin/$$p $$as bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$p && \
		bin/$$p $$as zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$p && \
		bin/$$p $$as fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$p.fish || \
		exit 1; done
	@if command -v scdoc > /dev/null; then $(MAKE) --no-print-directory manuals && \
		for m in $(MANUALS); do s=$${m##*.}; d=$(DESTDIR)$(PREFIX)/share/man/man$$s; \
		install -d $$d && install -m 644 $$m $$d; done; \
	else echo "scdoc is missing: no manual pages"; fi

# The program of another build than bin/'s, for tests: VARIANT=asan.
$(BUILD)/program/jobq: $(JOBQ) $(LIVE) $(SCENARIO) $(FLEET) $(COST) $(PRICING) $(NET) $(WIRE) \
		$(FIBER) $(BASE)
	$(link) $(LIB_LIVE) $(LIB_NET) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE) -lpthread
.PHONY: live-program
live-program: $(BUILD)/program/jobq
# And an application of many threads, for the thread checker: VARIANT=tsan.
$(BUILD)/tests/e2e/live/live_threads: $(BUILD)/tests/e2e/live/live_threads.o $(LIBJOBQ_A)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIBJOBQ_LIBS)
.PHONY: live-tsan-programs
live-tsan-programs: live-program $(BUILD)/tests/e2e/live/live_threads
