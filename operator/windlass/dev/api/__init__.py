"""The development API server: the part of the Kubernetes API that kubectl, kopf and Windlass need, in one process.

DevApi (server)      listens, authenticates, takes the others together
├── http             requests to answers: discovery, tables, watches, logs
├── faults           what a test wants to go wrong
└── Store            objects, versions, watches; all rules about objects are kept here, so that
    ├── catalog      the pod runner in this process and clients over HTTP meet the same ones
    ├── admit        defaults and checks of the built-in kinds
    ├── schema       the same for custom resources, by their definitions
    └── journal      what a restart finds again
"""
