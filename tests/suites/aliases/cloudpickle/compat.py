"""Stands for the module cloudpickle.compat, which holds the pickle module."""

import pickle as pickle
