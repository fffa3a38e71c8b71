select 1, {{ .column
from people }};
