"""Run the study of the paper (Gallego-Mejia et al., arXiv 2310.03513) on any model and any labelled data folder."""
