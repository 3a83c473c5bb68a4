from buttress.gnar import GnarApp

app = GnarApp("piste", production=True, port=8000)
