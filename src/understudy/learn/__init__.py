"""Learning from written data sets, and measuring on real ones: the wing that closes the loop.

It sees what a writer wrote, through the writers' readers (:mod:`understudy.learn.sources`), never a scene: training cannot
peek. From there in order: ``classes`` agrees on class names, ``cache`` keeps pictures small and ready, ``duplicates``
refuses photographs that are in both training and test, ``mixture`` and ``augment`` make batches, ``native`` holds the
networks and the loop (torch; nothing else imports it), ``evals`` the scores with their intervals, ``session`` the commands.
"""
