"""The people world: digital humans, dressed and posed, somewhere.

``body`` (shape and skinning, over ``topology`` and ``body_pack``), ``population`` (who), ``pose`` (with ``skeleton``,
``contact``, ``gait``, ``arms``, ``face``), ``framing`` (where), ``props``; ``skin``, ``hair`` and ``clothes`` put on what is
seen; ``anatomy`` and ``charts`` say where key points and body parts lie; ``world`` brings them together.
"""

from understudy.worlds.people.world import People

__all__ = ["People"]
