-- dunlin is a bird.
SELECT 1;
