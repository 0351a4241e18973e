"""What answers: one provider for every server that speaks an OpenAI API."""
