import TOMLKit
import ArgumentParser
import ProxyFront
print("edgenode")
