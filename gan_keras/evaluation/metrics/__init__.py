"""Metrics: what each module measures of clips, and the records that they share."""
