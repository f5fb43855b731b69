"""SESSIONS -> workflows: the tasks of a log as automata, what a diagnosis says by them."""
