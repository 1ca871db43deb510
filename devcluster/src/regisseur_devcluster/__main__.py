"""Run the command line."""

import sys

from regisseur_devcluster.cli import main

sys.exit(main())
