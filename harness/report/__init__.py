"""The tables that answer which method to use: built from the store, printed for people, written for both."""

from harness.report.build import build_report
from harness.report.files import write_report
from harness.report.model import Report
from harness.report.terminal import print_report

__all__ = ["Report", "build_report", "print_report", "write_report"]
