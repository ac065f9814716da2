"""The catalogue of models: cards that say what a model is, who may use it and what it scored, and a shelf of weights."""
