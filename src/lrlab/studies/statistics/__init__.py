"""Statistics of a study: numbers only; ``verdict`` puts them into words."""

from lrlab.studies.statistics.comparison import Comparison as Comparison
from lrlab.studies.statistics.comparison import Row as Row
from lrlab.studies.statistics.comparison import judge as judge
from lrlab.studies.statistics.paired import ALPHA as ALPHA
from lrlab.studies.statistics.paired import Reading as Reading
from lrlab.studies.statistics.paired import Versus as Versus
from lrlab.studies.statistics.paired import interval as interval
from lrlab.studies.statistics.reaching import Reached as Reached
from lrlab.studies.statistics.reaching import reach as reach
from lrlab.studies.statistics.rivals import Rival as Rival
