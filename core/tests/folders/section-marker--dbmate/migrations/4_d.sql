-- migrate:up transacton:false
select 1;
