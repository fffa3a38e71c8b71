SELECT 1;
/* a comment
  /* and one in it
SELECT 2;
