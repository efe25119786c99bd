"""Speed on this machine: each fast way against the plain one it replaces, in one process, beside the physical limit.

What `sonar-slt bench` calls a subject is a module of a package; what stands beside it there sets up what is compared.

    timing  memory  report    how it is measured, and shown
    training                  overhead, waiting, step; capacity, for `sonar-slt check`
    space                     likelihood, shortlist, space
    data                      reads, batches, growth, preparing
    extraction                extract
"""
