"""What texts may call without any schedule of a user or a test."""

from lrlab.schedules.core import BUILDERS, is_builtin

BUILTIN_BUILDERS = {name: builder for name, builder in BUILDERS.items() if is_builtin(builder)}
