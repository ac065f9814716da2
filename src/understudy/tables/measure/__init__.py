"""What made rows keep of the real ones, and what they give away: the figures of reports, audits and the bench.

Every figure takes the same three tables: ``train`` (what a model learnt from), ``holdout`` (real rows it
never saw) and ``made``. A figure for made rows stands beside the same figure for the holdout: what two samples of
the real population differ by is the bound, and beyond it lies memorisation.
"""
