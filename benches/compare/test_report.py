"""Tests of the arithmetic and of the verdicts. Run with: python3 -m unittest discover -t benches -s benches/compare"""

import unittest

from . import figures, scenarios, tables, verdicts


def a_run(cpu, p50=100.0, **more):
    times = {"p50": p50, "p99": p50 * 2, "buckets": [[p50, 100]]}
    run = {
        "answers": 1000, "answers_per_second": 200.0, "events": 0, "body_bytes": 1_000_000, "failures": {},
        "latency_us": times, "first_byte_us": times, "event_gap_us": times,
        "cpu_us_per_answer": cpu, "cpu_us_per_event": None, "foreign_cores": 0.0,
    }
    return run | more


class Figures(unittest.TestCase):
    def test_ratios_are_taken_round_by_round(self):
        # the machine was twice as slow in the second round and ten times in the third
        results = {"s": {"nginx": [a_run(10), a_run(20), a_run(100)], "troupe": [a_run(30), a_run(60), a_run(300)]}}
        self.assertEqual(figures.ratio(results, "s", "troupe", "nginx", "cpu_us_per_answer"), 3.0)
        self.assertEqual(figures.middle(results, "s", "troupe", "cpu_us_per_answer"), 60)
        self.assertEqual(figures.middle(results, "s", "troupe", "latency_us", "p99"), 200)

    def test_a_faulty_run_and_its_partners_are_left_out_of_ratios(self):
        results = {"s": {"nginx": [a_run(10), a_run(10)], "troupe": [a_run(1, failures={"status 429": 1}), a_run(30)]}}
        self.assertEqual(figures.ratio(results, "s", "troupe", "nginx", "cpu_us_per_answer"), 3.0)
        self.assertEqual(figures.middle(results, "s", "troupe", "cpu_us_per_answer"), 30)

    def test_late_samples_are_counted_from_the_bases_median(self):
        held_back = {"p50": 100.0, "p99": 44_000.0, "buckets": [[100.0, 60], [44_000.0, 40]]}
        results = {"s": {"direct": [a_run(1)], "troupe": [a_run(1, first_byte_us=held_back)]}}
        self.assertEqual(figures.late_share(results, "s", "troupe", "direct", "first_byte_us", 30_000), 0.4)
        self.assertEqual(figures.late_share(results, "s", "direct", "direct", "first_byte_us", 30_000), 0.0)

    def test_merged_events_have_no_time_between_them(self):
        gaps = {"p50": 0.0, "p99": 20.0, "buckets": [[0.0, 75], [20.0, 25]]}
        results = {"s": {"nginx": [a_run(1, event_gap_us=gaps)]}}
        self.assertEqual(figures.merged_share(results, "s", "nginx"), 0.75)

    def test_scenarios_are_held_against_each_other(self):
        results = {"a": {"troupe": [a_run(10), a_run(12), a_run(90)]}, "b": {"troupe": [a_run(15), a_run(18), a_run(20)]}}
        self.assertEqual(figures.ratio_of_scenarios(results, "b", "a", "troupe", "cpu_us_per_answer"), 1.5)

    def test_what_was_not_measured_is_none(self):
        for found in (
            figures.ratio_of_scenarios({"s": {"troupe": [a_run(1)]}}, "s", "t", "troupe", "cpu_us_per_answer"),
            figures.middle({}, "s", "troupe", "cpu_us_per_answer"),
            figures.ratio({}, "s", "troupe", "nginx", "cpu_us_per_answer"),
            figures.added({}, "s", "troupe", "direct", "latency_us", "p50"),
            figures.late_share({"s": {"direct": [a_run(1)]}}, "s", "troupe", "direct", "latency_us", 1),
        ):
            self.assertIsNone(found)


class Verdicts(unittest.TestCase):
    def words(self, results, memory=None):
        return {verdict.what: verdict.word for verdict in verdicts.verdicts(results, memory or {})}

    def test_bars_are_held_against_the_right_figures(self):
        results = {
            "chat_c64": {"direct": [a_run(9)], "nginx": [a_run(10)], "troupe": [a_run(36)]},
            "chat_r1000": {"direct": [a_run(9, 80.0)], "troupe": [a_run(30, 199.0)]},
            "stream_c16": {"direct": [a_run(50)], "troupe": [a_run(100)]},
            "messages_stream_c16": {"troupe": [a_run(150)]},
            "stream_paced": {"troupe": [a_run(100)]},
            "messages_stream_paced": {"troupe": [a_run(161)]},
        }
        memory = {"troupe": {"near_idle": 20 * 1024, "after_200k": 23 * 1024}}
        words = self.words(results, memory)
        self.assertEqual(words["chat_c64: CPU per request, of nginx's"], "MISSED")
        self.assertEqual(words["chat_r1000: p50 over direct"], "holds")
        self.assertEqual(words["messages_stream_c16: CPU per request, of stream_c16's"], "holds")
        self.assertEqual(words["messages_stream_paced: CPU per request, of stream_paced's"], "MISSED")
        self.assertEqual(words["near-idle PSS"], "holds")
        self.assertEqual(words["PSS over 200,000 requests, change"], "MISSED")
        self.assertEqual(words["image_c4: CPU per request, of nginx's"], "not measured")

    def test_each_state_of_redis_is_held_against_the_alive_one_of_its_round(self):
        # p99 is twice p50; the machine was slower in the second round
        words = self.words({"kv_r500": {
            "alive": [a_run(30, 1_000.0), a_run(30, 9_000.0)],
            "slow": [a_run(30, 1_000.0), a_run(30, 8_900.0)],
            "late": [a_run(30, 1_000.0, failures={"status 500": 1}), a_run(30, 1_000.0, failures={"status 500": 1})],
            "paused": [a_run(30, 3_400.0), a_run(30, 11_500.0)],
            "stopped": [a_run(30, 3_400.0), a_run(30, 11_900.0)],
        }})
        self.assertEqual(words["kv_r500: p99 with Redis slow, over that with it alive"], "holds")
        self.assertEqual(words["kv_r500: p99 with Redis late, over that with it alive"], "not measured")
        self.assertEqual(words["kv_r500: p99 with Redis paused, over that with it alive"], "holds")
        self.assertEqual(words["kv_r500: p99 with Redis stopped, over that with it alive"], "MISSED")

    def test_nothing_measured_is_nothing_held(self):
        self.assertEqual(set(self.words({}).values()), {"not measured"})


class Report(unittest.TestCase):
    def test_faults_and_altered_answers_are_told(self):
        results = {"chat_c64": {
            "direct": [a_run(9)],
            "nginx": [a_run(9, failures={"status 502": 3})],
            "troupe": [a_run(9, body_bytes=500_000)],
        }}
        faults = tables.faults(results)
        self.assertIn("chat_c64, nginx, round 1: 3 × status 502", faults)
        self.assertEqual(len(faults), 2)
        self.assertIn("chat_c64, troupe", faults[1])

    def test_what_only_a_gateway_can_serve_is_asked_of_it_alone(self):
        asked = {scenario.name: scenario.targets for scenario in scenarios.SCENARIOS}
        self.assertEqual(asked["stream_c16"], ("direct", "nginx", "troupe"))
        self.assertEqual(asked["messages_stream_c16"], ("troupe",))
        results = {"messages_stream_c16": {"troupe": [a_run(150, events=64_000, cpu_us_per_event=2.0)]}}
        self.assertEqual(tables.faults(results), [])
        self.assertIn("| messages_stream_c16 | 150 |", tables.report(results, {}, verdicts.verdicts(results, {})))

    def test_a_report_has_a_row_for_each_scenario(self):
        results = {"chat_c64": {"direct": [a_run(9)], "nginx": [a_run(12)], "troupe": [a_run(36)]}}
        text = tables.report(results, {}, verdicts.verdicts(results, {}))
        self.assertIn("| chat_c64 | 9.00 | 12.0 | 36.0 | 1.33× | 4.00× | 3.00× |", text)
        self.assertNotIn("streamed event", text)
        self.assertNotIn("Redis out of order", text)

    def test_redis_has_a_table_of_its_own(self):
        results = {"kv_r500": {
            "alive": [a_run(30, 1_000.0)],
            "slow": [a_run(33, 1_200.0)],
            "stopped": [a_run(30, 900.0, failures={"status 500": 2})],
        }}
        text = tables.report(results, {}, [])
        self.assertIn("| alive | 1,000 | 2,000 | — | 30.0 | 0.00 |", text)
        self.assertIn("| slow, each answer 50 ms late | 1,200 | 2,400 | +400 | 33.0 | 0.00 |", text)
        self.assertIn("| stopped | — | — | — | — | — |", text)
        self.assertNotIn("kv_r500", text, "among what is measured side by side")
        self.assertEqual(tables.faults(results), ["kv_r500, stopped, round 1: 2 × status 500"])


if __name__ == "__main__":
    unittest.main()
