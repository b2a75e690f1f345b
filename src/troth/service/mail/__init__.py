"""Mail: letters that must be sent, queued with the change that asks for them and sent once. Newsletters come later."""
