from tests.cli.test_commands import pintag
from tests.worker.conftest import harbour

__all__ = ["harbour", "pintag"]
