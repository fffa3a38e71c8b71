comment on table PERSON is '$5'; -- never ${filled} in
