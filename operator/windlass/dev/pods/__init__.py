"""Pods as local processes: what scheduler, kubelet and storage provisioner do on a real cluster.

    runner ── worker (one a pod) ── container ── process (bubblewrap)
      │          ├ scheduling         ├ environment, fields, expand
      │          ├ volumes, claims    ├ sandbox, layout, host
      │          └ status             └ logs
      └ objects: what of the store they read and write

Nothing here speaks HTTP: the API server's part is `windlass.dev.api`.
"""

from windlass.dev.pods.host import check_host
from windlass.dev.pods.runner import HostUnfit, PodRunner

__all__ = ["HostUnfit", "PodRunner", "check_host"]
