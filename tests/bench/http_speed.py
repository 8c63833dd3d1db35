"""How fast the API answers: http_redeem, http_get_order, push_to_page and memory come here."""
