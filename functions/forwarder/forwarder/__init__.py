"""From public to private: partners' calls and webhooks, forwarded to one configured backend."""
