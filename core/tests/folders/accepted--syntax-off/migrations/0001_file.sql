-- Of a version to come.
-- dunlin: syntax off

CREATE GADGET g;
CREATE WIDGET w;
