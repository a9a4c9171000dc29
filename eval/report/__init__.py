"""Runs to look at: one page of HTML, CSV and JUnit XML, or one question in full on a terminal."""
