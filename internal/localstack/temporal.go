package localstack

import (
	"context"
	"fmt"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// waitTemporal waits until the frontend at address is healthy and knows the
// namespace; otherwise as WaitHTTP.
func waitTemporal(ctx context.Context, address, namespace string, p *Process) error {
	if err := WaitTCP(ctx, address, p); err != nil {
		return err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return fmt.Errorf("connect to Temporal: %w", err)
	}
	defer conn.Close()
	return waitFor(ctx, "Temporal at "+address, p, func(ctx context.Context) error {
		health, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{
			Service: workflowservice.WorkflowService_ServiceDesc.ServiceName,
		})
		if err != nil {
			return err
		}
		if health.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			return fmt.Errorf("its health is %s", health.Status)
		}
		_, err = workflowservice.NewWorkflowServiceClient(conn).DescribeNamespace(ctx,
			&workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		return err
	})
}
