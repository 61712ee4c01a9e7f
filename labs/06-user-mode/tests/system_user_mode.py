"""All of user mode together, in a real machine: programs, pipes, memory of their own, and programs that attack."""

import unittest
from tests.support import moss


class UserMode(moss.TestCase):
    def test_a_program_runs(self):
        result = self.machine.run(b"echo hi\nexit 3\n")
        self.assertEqual(result.stdout, b"hi\n", "the shell starts, and echo prints; Moss's last words: %s"
                         % result.stderr.decode(errors="replace")[-1000:])
        self.assertEqual(result.status, 3, "the status of the first process is the machine's")

    def test_pipes_and_statuses(self):
        result = self.machine.run(b"cat /dev/zero | head -c 100000 | wc -c\n"  # cat must die of SIGPIPE
                                  b"echo one two | cat | cat > /tmp/f; cat < /tmp/f\n"
                                  b"false; echo $?; sleep 1000 & kill -9 $!; wait $!; echo $?\n")
        self.assertEqual(result.stdout.split(), b"100000 one two 1 137".split())

    def check_selftest(self, *names):
        """These tests of the program selftest, which runs in Moss."""
        result = self.machine.run(f"selftest {' '.join(names)}\n".encode(), timeout=300)
        verdicts = {text.partition(": ")[0]: (verdict, text) for verdict, text in result.records}
        for name in names:
            verdict, text = verdicts.get(name, ("nothing", "it did not come to its end; Moss's last words: %s"
                                                % (result.stdout + result.stderr).decode(errors="replace")[-1000:]))
            self.assertEqual(verdict, "ok", f"{name}: {text}")

    def test_every_process_has_memory_of_its_own(self):
        self.check_selftest("memory_is_zero_and_writable", "memory_protection", "memory_fork_copies_both_ways",
                            "memory_fork_and_kernel_writes", "memory_deep_fork", "resources_come_back")

    def test_a_new_program_finds_what_it_was_given(self):
        self.check_selftest("process_auxiliary_vector", "process_exec_arguments_and_environment", "process_exec_closes_and_resets",
                            "process_wait_status", "process_system_calls_keep_registers")

    def test_programs_that_attack_harm_themselves_only(self):
        self.check_selftest("faults_forged_signal_frames", "faults_last_page_cannot_be_mapped", "faults_with_nested_task_flag",
                            "hostile_pointers", "signals_return_restores_all_registers", "signals_broken_pipe")


if __name__ == "__main__":
    unittest.main()
