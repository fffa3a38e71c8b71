-- Größe
SELECT 'caf�';
