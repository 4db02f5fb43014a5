"""What the tests need of the machine, beside Python packages."""
