"""How a program built with ThreadSanitizer is run here: its shadow memory wants an address space
that is not more random than it knows, or not random at all."""
import subprocess
import sys
import tempfile

PROBE = "int main(void) { return 0; }\n"


def tsan_runner():
    """What to put before a command: [] or setarch's words. Exit 77 where neither helps."""
    with tempfile.TemporaryDirectory() as where:
        with open(where + "/probe.c", "w") as source:
            source.write(PROBE)
        built = subprocess.run(["cc", "-fsanitize=thread", "-o", where + "/probe", where + "/probe.c"],
                               capture_output=True, text=True)
        if built.returncode:
            print("the compiler has no ThreadSanitizer")
            sys.exit(77)
        for before in ([], ["setarch", "-R"]):
            try:
                # A layout that does not fit may come up by chance only.
                if all(subprocess.run(before + [where + "/probe"], capture_output=True).returncode == 0
                       for _ in range(20)):
                    if before:
                        print("ThreadSanitizer runs here without address randomization only (setarch -R)")
                    return before
            except FileNotFoundError:
                pass
    print("ThreadSanitizer's memory layout does not fit this kernel's, and setarch -R does not help")
    sys.exit(77)
