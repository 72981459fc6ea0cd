"""Map the scenes of an archive, by any number of processes on any number of machines that share a disk."""
