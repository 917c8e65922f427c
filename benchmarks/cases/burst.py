"""One-task runs that all come at once: how many a second are seen through to their end, and what they cost."""

from __future__ import annotations

from figures import Figure

from cluster import Setting, task
from windlass.resources import RUNS


async def measure(setting: Setting) -> list[Figure]:
    count = setting.size(300)
    async with setting.cluster() as cluster, setting.controller(cluster) as controller:
        at_rest = controller.rss()
        async with cluster.watch(RUNS) as runs:
            cpu, threads = controller.cpu(), controller.threads()
            await cluster.start_all(count, [task("only")])
            end = await runs.until(lambda watcher: watcher.ended() == count, 300.0)
            begin = min(moment for (_, word), moment in runs.seen.items() if word == "ADDED")
            spent = controller.cpu() - cpu
            share = {name: used - threads.get(name, 0.0) for name, used in controller.threads().items()}
        details = {
            "from first seen to last ended": f"{end - begin:.2f} s",
            "CPU by thread": ", ".join(f"{name} {used:.2f} s" for name, used in share.items() if used > 0.02),
        }
        return [
            Figure(
                f"one-task runs, {count} at once",
                count / (end - begin),
                "runs/s",
                25,
                45,
                more_is_better=True,
                details=details,
            ),
            Figure("CPU of the controller per pod", spent / count * 1000, "ms", 10, 4),
            Figure(
                "RSS after these", controller.rss(), "MiB", 160, 110, details={"at rest before": f"{at_rest:.0f} MiB"}
            ),
        ]
