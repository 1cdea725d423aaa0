"""The proof under fire: the whole service in real processes, while workers, clock and Redis die and Twilio misbehaves.

    python -m chaos --scenario short

People (simulated) register; what each of them heard is compared with what they wrote. It is judged from outside only:
by the messages that the simulated Twilio accepted and the calls that the simulated Auth API saw. Nothing here imports
`pipeline/`.
"""
