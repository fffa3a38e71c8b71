SELECT 1;
/* a comment /* in a comment */
SELECT 2;
