"""What everything that speaks AMQP to RabbitMQ shares; nothing here opens a connection."""
