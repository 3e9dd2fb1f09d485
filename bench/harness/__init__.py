# SPDX-License-Identifier: Apache-2.0
"""What every row of the benchmark stands on: servers, tools, rounds and the table."""
