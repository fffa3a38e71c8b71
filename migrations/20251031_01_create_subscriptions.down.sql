DROP TABLE IF EXISTS subscriptions;
DROP TYPE IF EXISTS notification_channel;
