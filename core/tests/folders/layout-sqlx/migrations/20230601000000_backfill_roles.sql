UPDATE users SET role = 'owner' WHERE email LIKE '%@example.org';
